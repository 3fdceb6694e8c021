import { describe, expect, test } from 'bun:test';
import { csvLine } from './csv.ts';

describe('csvLine()', () => {
  const rows: [values: (string | number | null)[], line: string][] = [
    [['a', 'b'], 'a,b'],
    [[1, -2.5, null, ''], '1,-2.5,,'],
    [['a,b', 'say "hi"', 'two\nlines', 'two\r\nlines'], '"a,b","say ""hi""","two\nlines","two\r\nlines"'],
    [['=1+1', '+1', '-1', '@a'], "'=1+1,'+1,'-1,'@a"],
    [['=HYPERLINK("https://evil.example","a")'], '"\'=HYPERLINK(""https://evil.example"",""a"")"'],
    [['\t=1', '\r=1'], '\'\t=1,"\'\r=1"'],
    [['a=1', ' =1', 'Сад, «Лето»'], 'a=1, =1,"Сад, «Лето»"'],
  ];
  for (const [values, line] of rows) {
    test(`csvLine() writes ${JSON.stringify(values)}`, () => {
      expect(csvLine(values)).toBe(`${line}\r\n`);
    });
  }
});
