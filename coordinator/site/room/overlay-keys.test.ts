import { expect, test } from 'bun:test';
import { staysInPage } from './overlay-keys.ts';

test('staysInPage() lets walking keys through while a button has the focus', () => {
  expect(staysInPage('keydown', 'w', 'control')).toBe(false);
  expect(staysInPage('keydown', 'ArrowUp', 'control')).toBe(false);
});

test('staysInPage() keeps what the button itself needs', () => {
  expect(['Enter', ' ', 'Tab', 'Escape'].map((key) => staysInPage('keydown', key, 'control'))).toEqual([
    true,
    true,
    true,
    true,
  ]);
});

test('staysInPage() reports every key that goes up, so that none stays down in the app', () => {
  expect(staysInPage('keyup', 'Tab', 'control')).toBe(false);
});

test('staysInPage() types nothing into the app from a text field', () => {
  expect(['keydown', 'keypress', 'keyup'].map((type) => staysInPage(type, 'w', 'field'))).toEqual([
    true,
    true,
    true,
  ]);
});
