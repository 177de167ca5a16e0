// SPDX-License-Identifier: MIT
import {render} from 'preact';
import {App} from './app';
import './style.css';
import {language} from './words';

document.documentElement.lang = language;
const page = document.getElementById('page');
if (page) render(<App />, page);
