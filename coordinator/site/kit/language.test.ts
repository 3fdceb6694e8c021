import { expect, test } from 'bun:test';
import { chooseLanguage, localText } from './language.ts';

test('chooseLanguage() takes the visitor’s own choice first, then the browser’s, then English', () => {
  expect(chooseLanguage('ru', ['en-US'])).toBe('ru');
  expect(chooseLanguage(undefined, ['de-DE', 'ru-RU', 'en'])).toBe('ru');
  expect(chooseLanguage('de', ['de-DE'])).toBe('en');
  expect(chooseLanguage('toString', [])).toBe('en');
});

test('localText() falls back to a language that exists', () => {
  expect(localText({ en: 'Loft', ru: 'Лофт' }, 'ru')).toBe('Лофт');
  expect(localText({ ru: 'Лофт' }, 'en')).toBe('Лофт');
  expect(localText({}, 'en', 'SomeRC')).toBe('SomeRC');
});
