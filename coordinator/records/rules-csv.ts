/** Stands at the beginning of the file: without it Excel reads Cyrillic in the code page of its country. */
export const csv_mark = '\uFEFF';

/**
 * Where a spreadsheet would begin a formula: at the start of the text, and behind what it may take for the end of a cell,
 * for Excel that is the semicolon in half of the world. Full-width signs are signs in the other half.
 */
const formulas = /^(?=[=+\-@＝＋－＠;\t\r\n])|(?<=[;,\t\r\n])(?=[=+\-@＝＋－＠])/g;

/**
 * One value of RFC 4180. What a spreadsheet would take for a formula gets an apostrophe in front, so that a name which a
 * stranger chose runs nothing on the reader's machine; numbers stay as they are.
 */
const cellOf = (value: string | number | null): string => {
  if (typeof value === 'number') return String(value);
  const text = (value ?? '').replace(formulas, "'");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** One line of a CSV file, with its end. Null is an empty value. */
export const csvLine = (values: readonly (string | number | null)[]): string =>
  `${values.map(cellOf).join(',')}\r\n`;
