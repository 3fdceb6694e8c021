import { expect, test } from 'bun:test';
import { exchanges, play, readExchange } from './testing/exchange.ts';

for (const name of exchanges()) {
  test(`play() goes byte for byte as written: ${name}`, async () => {
    const exchange = await readExchange(name);
    expect(await play(exchange)).toEqual(exchange.steps);
  });
}
