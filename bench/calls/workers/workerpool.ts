/** A worker of workerpool. */
import workerpool from 'workerpool';
import { add, echo, size } from './tasks.js';

workerpool.worker({ add, echo, size });
