/** The messages of the raw worker, each an array that begins with its kind. */

/** Fields: a number, two numbers to add; any number of these three. Answer: the same number and the sum of each. */
export const ADD = 0;
/** Fields: a number, a buffer. Answer: the number and the buffer's size. */
export const SIZE = 1;
/** Fields: a number, any value. Answer: the same. */
export const ECHO = 2;
/** Fields: how many numbers, how many in one message. Answer: the numbers, alone where it is one, else in arrays. */
export const COUNT = 3;
