# The image of the Home Assistant app, built by the Supervisor on the device from this folder, or by anybody:
#   docker build -t meterbridge .
# No `ARG BUILD_FROM`: older Supervisors would put their own base in its place.

FROM debian:bookworm-slim AS builder
RUN apt-get update && apt-get install -y --no-install-recommends \
      g++ cmake ninja-build pkg-config libmosquitto-dev libboost1.81-dev nlohmann-json3-dev libyaml-cpp-dev \
      libspdlog-dev libssl-dev libsqlite3-dev zlib1g-dev libmariadb-dev libpq-dev python3 ca-certificates nodejs npm \
    && rm -rf /var/lib/apt/lists/*
COPY . /source
# Several sources at once are compiled three times faster, which counts on a small device. A compiler takes up to 1 GB then: a
# device with less than 2 GB gets one at a time.
RUN jobs=$(($(awk '/^MemAvailable:/ {print $2}' /proc/meminfo) / 1000000)) \
    && [ "$jobs" -le "$(nproc)" ] || jobs=$(nproc); [ "$jobs" -ge 1 ] || jobs=1; \
    cmake -G Ninja -S /source -B /build -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE="-O2 -DNDEBUG" \
      -DMETERBRIDGE_TESTS=OFF -DMETERBRIDGE_WEB=ON -DMETERBRIDGE_UNITY=ON -DCMAKE_EXE_LINKER_FLAGS=-s \
    && cmake --build /build -j "$jobs" --target meterbridge

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends \
      ca-certificates tzdata libmosquitto1 libyaml-cpp0.7 libspdlog1.10 libssl3 libsqlite3-0 zlib1g libmariadb3 libpq5 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=builder /build/src/meterbridge /usr/bin/meterbridge
# Root, because /data, /config and the serial ports belong to root here; apparmor.txt takes root's exceptions away.
ENTRYPOINT ["/usr/bin/meterbridge"]
CMD ["run", "--app"]
ARG BUILD_VERSION=0
ARG BUILD_ARCH=amd64
LABEL io.hass.type="app" io.hass.version="$BUILD_VERSION" io.hass.arch="$BUILD_ARCH" \
      org.opencontainers.image.title="meterbridge" org.opencontainers.image.licenses="MIT"
