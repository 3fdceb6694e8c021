import { describe, expect, test } from 'bun:test';
import { seeded } from '../../shared/testing/random.ts';
import { csvLine } from './rules-csv.ts';

/** Everything that some spreadsheet may take for a cell of the line. */
const cellsOf = (line: string): string[] => line.split(/[;,\t\r\n"]+/);

describe('csvLine()', () => {
  test('csvLine() leaves no cell that begins a formula, however it is cut', () => {
    const random = seeded(7);
    const pieces = [
      '=',
      '+',
      '-',
      '@',
      '＝',
      '＋',
      '－',
      '＠',
      ';',
      ',',
      '\t',
      '\r',
      '\n',
      'a',
      "'",
      '1',
    ] as const;
    for (let round = 0; round < 5_000; round++) {
      const text = Array.from({ length: random.below(7) }, () => random.pick(pieces)).join('');
      expect(cellsOf(csvLine([text, null])).filter((cell) => /^[=+\-@＝＋－＠]/.test(cell))).toEqual([]);
    }
  });

  const rows: [values: (string | number | null)[], line: string][] = [
    [['a', 'b'], 'a,b'],
    [[1, -2.5, null, ''], '1,-2.5,,'],
    [['a,b', 'say "hi"', 'two\nlines', 'two\r\nlines'], '"a,b","say ""hi""","two\nlines","two\r\nlines"'],
    [['=1+1', '+1', '-1', '@a'], "'=1+1,'+1,'-1,'@a"],
    [['=HYPERLINK("https://evil.example","a")'], '"\'=HYPERLINK(""https://evil.example"",""a"")"'],
    [['＝1+1', '＋1', '－1', '＠a'], "'＝1+1,'＋1,'－1,'＠a"],
    [['\t=1', '\r=1'], "'\t'=1,\"'\r'=1\""],
    [[';a', ';=1', 'a;=1', 'a;b'], "';a,';'=1,a;'=1,a;b"],
    [['a,=1', 'a\n@b', 'a\t＝1', 'a; =1'], '"a,\'=1","a\n\'@b",a\t\'＝1,a; =1'],
    [['x=1;y=-2', '2026-11-02T09:00:00Z', '192.0.2.1'], 'x=1;y=-2,2026-11-02T09:00:00Z,192.0.2.1'],
    [['a=1', ' =1', 'Сад, «Лето»'], 'a=1, =1,"Сад, «Лето»"'],
  ];
  for (const [values, line] of rows) {
    test(`csvLine() writes ${JSON.stringify(values)}`, () => {
      expect(csvLine(values)).toBe(`${line}\r\n`);
    });
  }
});
