/**
 * One value of RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe in front, so that a name which
 * a stranger chose runs nothing on the reader's machine; numbers stay as they are.
 */
const cellOf = (value: string | number | null): string => {
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r\n]/.test(value ?? '') ? `'${value}` : (value ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** One line of a CSV file, with its end. Null is an empty value. */
export const csvLine = (values: readonly (string | number | null)[]): string =>
  `${values.map(cellOf).join(',')}\r\n`;
