import { expect, test } from 'bun:test';
import { errorCodes } from '../../../shared/errors.ts';
import { endReasons } from '../../../shared/protocol/session.ts';
import { texts } from './texts.ts';

/** Every text of a table by its path; functions are called with a number and a word. */
const flat = (table: object, path = ''): [string, string][] =>
  Object.entries(table).flatMap(([key, value]): [string, string][] => {
    if (typeof value === 'function') return [[`${path}${key}()`, String(value('2', 'https://a.example'))]];
    return typeof value === 'string' ? [[path + key, value]] : flat(value, `${path}${key}.`);
  });

test('texts() has every sentence in every language', () => {
  const en = flat(texts.en);
  const ru = flat(texts.ru);
  expect(ru.map(([path]) => path)).toEqual(en.map(([path]) => path));
  expect([...en, ...ru].filter(([, text]) => text.trim() === '')).toEqual([]);
});

test('texts() explains every error and every end of a session', () => {
  for (const { failures, endings } of Object.values(texts)) {
    expect(Object.keys(failures)).toEqual(expect.arrayContaining(errorCodes));
    expect(Object.keys(endings).sort()).toEqual(Object.keys(endReasons).sort());
  }
});

test('texts() in Russian is in Russian', () => {
  const foreign = flat(texts.ru).filter(([, text]) => !/[а-яё]/i.test(text));
  expect(foreign).toEqual([]);
});

test('texts() declines Russian numbers', () => {
  expect([1, 2, 5, 11, 21, 104].map(texts.ru.seatsFree)).toEqual([
    'Свободно 1 место',
    'Свободно 2 места',
    'Свободно 5 мест',
    'Свободно 11 мест',
    'Свободно 21 место',
    'Свободно 104 места',
  ]);
  expect([1, 2].map(texts.en.seatsFree)).toEqual(['1 place free', '2 places free']);
});
