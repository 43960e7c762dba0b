import { connect } from 'qtasks-lite/worker';

const app = connect<typeof import('./tasks.js')>(
  () => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }),
);

console.log(await app.run('visit', 'Ann'));
console.log(await app.run('visit', 'Bob'));
for await (const number of app.run('countTo', 3)) console.log(number);
try {
  await app.run('fail');
} catch (error) {
  console.log(`${error}, ${error instanceof RangeError}`);
}
console.log(await app.run('surroundings'));
await app.close();
console.log('closed');
