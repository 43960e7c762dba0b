/** A worker of piscina: what it exports. */
import * as functions from './tasks.js';

/** It is given one argument. */
export const add = ([a, b]: readonly [number, number]): number => functions.add(a, b);
export const { echo, size } = functions;
