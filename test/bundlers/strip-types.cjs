/** A loader of webpack for TypeScript, as a user would install one. */
const { transformSync } = require('esbuild');

/** @param {string} source */
module.exports = (source) => transformSync(source, { loader: 'ts', target: 'es2022' }).code;
