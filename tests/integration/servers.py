# SPDX-License-Identifier: MIT
"""Real databases for the end-to-end tests. Each listens on loopback, on a port of its own."""
import datetime
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from house import free_port, wait_for


def ask(url, data=None, patience=5):
    with urllib.request.urlopen(url, data, patience) as answer:
        return answer.read().decode()


class Server:
    """A program that is killed, frozen and started again over the same folder."""
    program = ""
    ending = signal.SIGKILL

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.process = None

    def arguments(self):
        raise NotImplementedError

    def answers(self):
        raise NotImplementedError

    def start(self):
        log = open(self.folder / f"{self.program}.log", "ab")
        program = shutil.which(self.program) or f"/usr/sbin/{self.program}"
        self.process = subprocess.Popen([program, *self.arguments()], stdout=log, stderr=log)
        wait_for(self.is_up, f"{self.program} answers")
        return self

    def is_up(self):
        assert self.process.poll() is None, (self.folder / f"{self.program}.log").read_text()
        try:
            self.answers()
            return True
        except OSError:
            return False

    def kill(self):
        self.process.send_signal(self.ending)
        self.process.wait()

    def settings(self):
        """Of a sink that writes there."""
        raise NotImplementedError

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.kill()


class Influxd(Server):
    """InfluxDB 1.6 with a database `meters`."""
    program = "influxd"

    def __init__(self, folder):
        super().__init__(folder)
        self.backup = free_port()

    def arguments(self):
        conf = self.folder / "influxd.conf"
        conf.write_text(f'reporting-disabled = true\nbind-address = "127.0.0.1:{self.backup}"\n'
                        f'[meta]\ndir = "{self.folder}/meta"\n'
                        f'[data]\ndir = "{self.folder}/data"\nwal-dir = "{self.folder}/wal"\n'
                        f'[http]\nbind-address = "127.0.0.1:{self.port}"\nlog-enabled = false\n')
        return ["-config", str(conf)]

    def settings(self):
        return (f"type: influxdb, url: 'http://127.0.0.1:{self.port}', version: 1, database: meters, timeout: 1s")

    def query(self, text):
        form = urllib.parse.urlencode({"db": "meters", "epoch": "ms", "q": text})
        return json.loads(ask(f"http://127.0.0.1:{self.port}/query", form.encode()))["results"][0]

    def answers(self):
        self.query("CREATE DATABASE meters")

    def points(self, measurement, field):
        """Time in ms and value, in order; as many as there are, repeated ones too."""
        series = self.query(f'SELECT "{field}" FROM "{measurement}"').get("series")
        return [tuple(row) for row in series[0]["values"]] if series else []


class VictoriaMetrics(Server):
    program = "victoria-metrics"
    # Killed hard it forgets seconds that it had acknowledged, whoever sent them.
    ending = signal.SIGINT

    def arguments(self):
        return [f"-storageDataPath={self.folder}/vm", f"-httpListenAddr=127.0.0.1:{self.port}", "-retentionPeriod=100y",
                # Without it a point that came twice, because its first answer was late, is there twice.
                "-dedup.minScrapeInterval=1ms", "-loggerLevel=ERROR"]

    def settings(self):
        return (f"type: influxdb, url: 'http://127.0.0.1:{self.port}', version: 2, org: o, bucket: b, token: t,"
                " timeout: 1s")

    def answers(self):
        ask(f"http://127.0.0.1:{self.port}/health")

    def points(self, measurement, field):
        ask(f"http://127.0.0.1:{self.port}/internal/force_flush")
        form = urllib.parse.urlencode({"match[]": f'{{__name__="{measurement}_{field}"}}',
                                       "end": int(time.time()) + 86400})  # also what a wrong clock wrote
        found = []
        for line in ask(f"http://127.0.0.1:{self.port}/api/v1/export", form.encode()).splitlines():
            series = json.loads(line)
            found += zip(series["timestamps"], series["values"])
        return sorted(found)


class Carbon(Server):
    """Graphite's carbon-cache over whisper files with a slot for each second of two days."""
    program = "carbon-cache"

    def __init__(self, folder):
        super().__init__(folder)
        self.ports = [free_port() for _ in range(2)]

    def arguments(self):
        conf = self.folder / "carbon.conf"
        conf.write_text(f"""[cache]
STORAGE_DIR = {self.folder}/carbon
LOCAL_DATA_DIR = {self.folder}/carbon/whisper
CONF_DIR = {self.folder}
LOG_DIR = {self.folder}
PID_DIR = {self.folder}
USER =
MAX_UPDATES_PER_SECOND = inf
MAX_CREATES_PER_MINUTE = inf
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = {self.port}
ENABLE_UDP_LISTENER = True
UDP_RECEIVER_INTERFACE = 127.0.0.1
UDP_RECEIVER_PORT = {self.port}
PICKLE_RECEIVER_INTERFACE = 127.0.0.1
PICKLE_RECEIVER_PORT = {self.ports[0]}
CACHE_QUERY_INTERFACE = 127.0.0.1
CACHE_QUERY_PORT = {self.ports[1]}
""")
        (self.folder / "storage-schemas.conf").write_text("[all]\npattern = .*\nretentions = 1s:2d\n")
        (self.folder / "carbon-cache-a.pid").unlink(missing_ok=True)  # of one that was killed
        return [f"--config={conf}", "--nodaemon", "start"]

    def settings(self):
        return f"type: graphite, host: 127.0.0.1, port: {self.port}, timeout: 1s, flush_interval: 100ms"

    def answers(self):
        socket.create_connection(("127.0.0.1", self.port), 1).close()

    def points(self, measurement, field):
        import whisper
        file = self.folder / "carbon/whisper/meterbridge" / measurement / f"{field}.wsp"
        if not file.exists():
            return []
        (start, _, step), values = whisper.fetch(str(file), int(time.time()) - 40 * 3600)
        return [((start + n * step) * 1000, value) for n, value in enumerate(values) if value is not None]


class Sql(Server):
    """A database `meters` with a user `bridge`, whose password is `pass`."""
    kind = ""
    certificate = ""  # name of files .crt and .key: with them the server offers TLS

    def settings(self):
        return (f"type: {self.kind}, host: 127.0.0.1, port: {self.port}, database: meters, username: bridge,"
                " password: pass, timeout: 1s, flush_interval: 100ms")

    def query(self, text):
        """Rows of texts."""
        raise NotImplementedError

    def points(self, measurement, field):
        rows = self.query("SELECT at_utc, shown FROM meterbridge_values "
                          f"WHERE meter = '{measurement}' AND name = '{field}' ORDER BY at_utc, sequence")
        return [(round(datetime.datetime.fromisoformat(at.split("+")[0] + "+00:00").timestamp() * 1000), value)
                for at, value in rows]


def rows_of(arguments, environment=None):
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=30, env={**os.environ, **(environment or {})})
    if done.returncode != 0:
        raise OSError(done.stderr)
    return [line.split("\t") for line in done.stdout.splitlines()]


class MariaDb(Sql):
    program = "mariadbd"
    kind = "mysql"

    def arguments(self):
        data = self.folder / "mariadb"
        if not data.exists():
            subprocess.run(["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal",
                            "--skip-test-db", f"--datadir={data}", *self.as_root()], check=True, capture_output=True)
            (self.folder / "init.sql").write_text("CREATE DATABASE IF NOT EXISTS meters;\n"
                                                  "CREATE USER IF NOT EXISTS bridge@'127.0.0.1' IDENTIFIED BY 'pass';\n"
                                                  "GRANT ALL ON meters.* TO bridge@'127.0.0.1';\n")
        return ["--no-defaults", f"--datadir={data}", f"--socket={self.folder}/mariadb.sock", f"--port={self.port}",
                "--bind-address=127.0.0.1", f"--pid-file={self.folder}/mariadb.pid", f"--init-file={self.folder}/init.sql",
                "--innodb-flush-log-at-trx-commit=2", "--skip-name-resolve", *self.as_root(),
                *([f"--ssl-cert={self.certificate}.crt", f"--ssl-key={self.certificate}.key"] if self.certificate else [])]

    @staticmethod
    def as_root():
        return ["--user=root"] if os.geteuid() == 0 else []

    def query(self, text):
        return rows_of(["mariadb", "--no-defaults", "-N", "-B", f"--socket={self.folder}/mariadb.sock", "-u", "root",
                        "meters", "-e", text])

    def answers(self):
        self.query("SELECT 1")


class PostgreSql(Sql):
    """It refuses to run as root, and its folder must be reachable for somebody else."""
    program = "postgres"
    kind = "postgresql"

    def __init__(self, folder):
        self.data = pathlib.Path(tempfile.mkdtemp(prefix="meterbridge-pg-"))
        super().__init__(folder)
        self.bin = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
        self.user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        shutil.chown(self.data, self.user)

    def mine(self, *arguments):
        within = [] if os.geteuid() != 0 else ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"]
        return [*within, str(self.bin / arguments[0]), *arguments[1:]]

    def start(self):
        cluster = self.data / "cluster"
        if not cluster.exists():
            password = self.data / "password"
            password.write_text("pass")
            password.chmod(0o644)
            subprocess.run(self.mine("initdb", "-D", str(cluster), "-U", "bridge", f"--pwfile={password}", "-A", "scram-sha-256",
                                     "-E", "UTF8", "--locale=C", "--no-sync"), check=True, capture_output=True)
        log = open(self.folder / "postgres.log", "ab")
        arguments = self.mine("postgres", "-D", str(cluster), "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
                              "-k", str(self.data), "-c", "fsync=off", *self.tls())
        self.process = subprocess.Popen(arguments, stdout=log, stderr=log)
        wait_for(self.is_up, "postgres answers")
        return self

    def tls(self):
        if not self.certificate:
            return []
        for end in ("crt", "key"):
            mine = self.data / f"server.{end}"
            shutil.copy(f"{self.certificate}.{end}", mine)
            shutil.chown(mine, self.user)
            mine.chmod(0o600)
        return ["-c", "ssl=on", "-c", f"ssl_cert_file={self.data}/server.crt", "-c", f"ssl_key_file={self.data}/server.key"]

    def family(self):
        """The server and its processes: each connection has one."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]

    def signal_all(self, what):
        for process in self.family():
            try:
                os.kill(process, what)
            except ProcessLookupError:
                pass  # gone meanwhile

    def kill(self):
        self.signal_all(signal.SIGKILL)
        self.process.wait()

    def freeze(self):
        self.signal_all(signal.SIGSTOP)

    def thaw(self):
        self.signal_all(signal.SIGCONT)

    def __exit__(self, *_):
        super().__exit__()
        shutil.rmtree(self.data, ignore_errors=True)

    def query(self, text, database="meters"):
        return rows_of([str(self.bin / "psql"), "-X", "-q", "-A", "-t", "-F", "\t", "-h", "127.0.0.1", "-p", str(self.port), "-U",
                        "bridge", "-d", database, "-c", text], {"PGPASSWORD": "pass", "PGTZ": "UTC"})

    def answers(self):
        if not self.query("SELECT 1 FROM pg_database WHERE datname = 'meters'", "postgres"):
            self.query("CREATE DATABASE meters", "postgres")
