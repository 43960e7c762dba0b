/** A worker whose script fails as it loads. */
throw new RangeError('broken');
