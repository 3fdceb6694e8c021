import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import { cheap } from '../testing/app.ts';
import { createPasswords } from './passwords.ts';

setDefaultTimeout(60_000);

describe('createPasswords()', () => {
  test('createPasswords() makes argon2id hashes of 64 MiB and 2 passes, and checks unknown accounts as dearly', async () => {
    const passwords = createPasswords();
    const hash = await passwords.hash('correct horse');
    expect(hash).toStartWith('$argon2id$v=19$m=65536,t=2,p=1$');
    expect(await passwords.verify('correct horse', String(hash))).toBeTrue();
    expect(await passwords.verify('correct horsf', String(hash))).toBeFalse();
    expect(await passwords.verify('correct horse', undefined)).toBeFalse();
  });

  test('createPasswords() takes a letter for the same however the keyboard composed it', async () => {
    const passwords = createPasswords(cheap);
    const hash = await passwords.hash('caf\u00e9 au lait');
    expect(await passwords.verify('cafe\u0301 au lait', String(hash))).toBeTrue();
  });

  test('createPasswords() lets so many wait and refuses the rest at once, and has room again afterwards', async () => {
    const passwords = createPasswords({ ...cheap, running: 2, waiting: 20 });
    const ask = async (times: number) => {
      const answers = await Promise.all(
        Array.from({ length: times }, (_, at) =>
          at % 2 === 0 ? passwords.hash('x') : passwords.verify('x', undefined),
        ),
      );
      return answers.filter((one) => isRefusal(one) && one.refused === 'too_busy').length;
    };
    expect(await ask(100)).toBe(78);
    expect(await ask(22)).toBe(0);
  });

  test('createPasswords() gives the turn on when a job fails', async () => {
    const passwords = createPasswords({ ...cheap, running: 1, waiting: 1 });
    const failing = passwords.verify('x', 'no hash').then(
      () => 'checked',
      () => 'failed',
    );
    expect([await failing, await passwords.verify('x', undefined)]).toEqual(['failed', false]);
  });
});
