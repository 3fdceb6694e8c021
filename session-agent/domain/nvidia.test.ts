import { expect, test } from 'bun:test';
import { hostFiguresSchema } from '../../shared/protocol/agent-link.ts';
import { lacksEncoder, readCards, smiArguments } from './nvidia.ts';

const card = {
  index: 0,
  name: 'NVIDIA L4',
  busy_percent: 40,
  encoder_percent: 12,
  vram_used_mb: 1_234,
  vram_total_mb: 23_034,
  temperature_c: 51,
};

test.each<[what: string, answer: string, cards: unknown[]]>([
  ['one card', '0, NVIDIA L4, 40, 1234, 23034, 51, 12\n', [card]],
  ['the line ends of Windows', '0, NVIDIA L4, 40, 1234, 23034, 51, 12\r\n', [card]],
  [
    'two cards, and a driver that says nothing of encoders',
    '0, NVIDIA L4, 40, 1234, 23034, 51\n1, NVIDIA L4, 40, 1234, 23034, 51\n',
    [
      { ...card, encoder_percent: null },
      { ...card, index: 1, encoder_percent: null },
    ],
  ],
  [
    'what is not supported',
    '0, Quadro, [N/A], [Not Supported], , N/A, [Unknown Error]',
    [
      {
        ...{ index: 0, name: 'Quadro', busy_percent: null, encoder_percent: null },
        ...{ vram_used_mb: null, vram_total_mb: null, temperature_c: null },
      },
    ],
  ],
  [
    'numbers out of range',
    '0, NVIDIA L4, 140, -5, 1e12, 900, -1',
    [
      {
        ...{ ...card, busy_percent: 100, encoder_percent: 0, temperature_c: 200 },
        ...{ vram_used_mb: 0, vram_total_mb: 100_000_000 },
      },
    ],
  ],
  ['warnings and nothing else', 'WARNING: infoROM is corrupted\n\n-1, x\n64, y\n', []],
  ['nothing', '', []],
])('readCards() reads %s', (_, answer, cards) => {
  const read = readCards(answer);
  expect(read as unknown[]).toEqual(cards);
  const figures = { cpu_percent: null, memory_used_mb: null, memory_total_mb: null, cards: read };
  expect(hostFiguresSchema.safeParse(figures).success).toBeTrue();
});

test('readCards() is bounded, whatever the answer', () => {
  const line = `3, ${'x'.repeat(500)}, 1, 1, 1, 1, 1\n`;
  const read = readCards(line.repeat(500));
  expect(read).toHaveLength(64);
  expect(read[0]?.name).toHaveLength(100);
});

test('lacksEncoder() knows the answer of a driver that does not know the field', () => {
  const answer = 'Field "utilization.encoder" is not a valid field to query.\n';
  expect(lacksEncoder(answer)).toBeTrue();
  expect(lacksEncoder('Field "temperature.gpu" is not a valid field to query.')).toBeFalse();
  expect(smiArguments(true)[0]).toEndWith(',utilization.encoder');
  expect(smiArguments(false)[0]).not.toContain('encoder');
});
