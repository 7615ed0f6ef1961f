import 'reflect-metadata';
import { runApp } from '@lattice/engine';
import { startApi } from './start-api';

runApp('api', process.env, startApi);
