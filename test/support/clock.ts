/** The library's own tests move time with the clock that it gives to others. */
export { ManualClock, settle } from '../../adapters/testing/clock.js';
