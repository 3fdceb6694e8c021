import { expect, test } from 'bun:test';
import { calendarOf } from './rules-calendar.ts';

const event = {
  uid: 'abc@vitrina.example',
  sequence: 3,
  stamp: Date.UTC(2026, 10, 21, 8, 5, 1),
  from: Date.UTC(2026, 11, 24, 17, 30),
  to: Date.UTC(2026, 11, 24, 18, 30),
  cancelled: false,
  summary: 'A walk; garden, house \\ "north"',
  description: 'The garden\nhttps://vitrina.example/i/secret\n1234',
  url: 'https://vitrina.example/i/secret',
};

test('calendarOf() writes what RFC 5545 asks for', () => {
  expect(calendarOf(event)).toBe(
    [
      'BEGIN:VCALENDAR',
      'VERSION:2.0',
      'PRODID:-//Vitrina//Coordinator//EN',
      'CALSCALE:GREGORIAN',
      'METHOD:PUBLISH',
      'BEGIN:VEVENT',
      'UID:abc@vitrina.example',
      'SEQUENCE:3',
      'DTSTAMP:20261121T080501Z',
      'DTSTART:20261224T173000Z',
      'DTEND:20261224T183000Z',
      'STATUS:CONFIRMED',
      'SUMMARY:A walk\\; garden\\, house \\\\ "north"',
      'DESCRIPTION:The garden\\nhttps://vitrina.example/i/secret\\n1234',
      'URL:https://vitrina.example/i/secret',
      'END:VEVENT',
      'END:VCALENDAR',
      '',
    ].join('\r\n'),
  );
  expect(calendarOf({ ...event, cancelled: true })).toContain('STATUS:CANCELLED\r\n');
});

test('calendarOf() folds at 75 octets and cuts no character', () => {
  for (const letter of ['a', 'я', '€', '𝄞']) {
    const summary = `x${letter.repeat(200)}`;
    const text = calendarOf({ ...event, summary });
    for (const line of text.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
    expect(text.replaceAll('\r\n ', '')).toContain(`SUMMARY:${summary}\r\n`);
    expect(text.isWellFormed()).toBeTrue();
  }
});

test('calendarOf() lets no text begin a line of its own', () => {
  const text = calendarOf({ ...event, summary: 'a\r\nATTENDEE:mailto:x@example.com\rb\nc' });
  expect(text).toContain('SUMMARY:a\\nATTENDEE:mailto:x@example.com\\nb\\nc\r\n');
});
