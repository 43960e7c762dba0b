/** A module of tasks as a user writes it. */
import { task } from '../../src/index.js';

export const double = task('double', (number: number) => number * 2);
export const version = '1.0';
