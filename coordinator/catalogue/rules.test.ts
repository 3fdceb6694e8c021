import { describe, expect, test } from 'bun:test';
import { checkMinutes, checkSource, pictureType } from './rules.ts';

test('checkMinutes() takes a longest session that is not shorter than the usual one', () => {
  expect(checkMinutes({ default_minutes: 60, max_minutes: 120 })).toBeUndefined();
  expect(checkMinutes({ default_minutes: 60, max_minutes: 60 })).toBeUndefined();
  expect(checkMinutes({ default_minutes: 60, max_minutes: 55 })?.refused).toBe('malformed');
});

describe('checkSource()', () => {
  const rows = [
    ['file', ['title'], false],
    ['file', ['lobby', 'picture'], false],
    ['file', ['apps'], false],
    ['file', ['key'], false],
    ['file', ['draining', 'enabled', 'lobby', 'max_minutes', 'quota_minutes'], true],
    ['rest', ['title', 'picture', 'apps', 'key'], true],
    ['file', [], true],
  ] as const;
  for (const [source, fields, allowed] of rows) {
    test(`checkSource() ${allowed ? 'lets' : 'does not let'} ${fields.join(', ') || 'nothing'} of "${source}" be changed`, () => {
      expect(checkSource(source, fields)?.refused).toBe(allowed ? undefined : 'managed_by_file');
    });
  }
});

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

describe('pictureType()', () => {
  const rows = [
    ['\x89PNG\r\n\x1a\n\x00\x00', 'png'],
    ['\xff\xd8\xff\xe0\x00\x10JFIF', 'jpg'],
    ['RIFF\x10\x00\x00\x00WEBPVP8 ', 'webp'],
    ['\x00\x00\x00\x1cftypavif\x00\x00\x00\x00mif1', 'avif'],
    ['\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00avif', 'avif'],
    ['\x00\x00\x00\x10ftypmif1\x00\x00\x00\x00avif', undefined],
    ['\x00\x00\x00\x18ftypisom\x00\x00\x00\x00mp41', undefined],
    ['\x00\x00\x00\x18ftyp', undefined],
    ['RIFF\x10\x00\x00\x00WAVEfmt ', undefined],
    ['GIF89a', undefined],
    ['<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', undefined],
    ['<html>', undefined],
    ['\x89PNG', undefined],
    ['', undefined],
  ] as const;
  for (const [text, type] of rows) {
    test(`pictureType() reads ${JSON.stringify(text)} as ${type ?? 'no picture'}`, () => {
      expect(pictureType(bytesOf(text))).toBe(type);
    });
  }
});
