import { expect, test } from 'bun:test';
import { cardsLine, installedCards } from './gpu.ts';

const app = { rc_name: 'Flat', encoders: 1 };
const config = (given: object) =>
  ({ seats: 4, cards: [], apps: [app], ...given }) as unknown as Parameters<typeof cardsLine>[0];

const workstation = '0, NVIDIA RTX A5000, 550.54.14, 24564\n1, NVIDIA RTX A5000, 550.54.14, 24564\n';
const consumer = '0, NVIDIA GeForce RTX 4090, 560.35, 24564';

test('installedCards() reads what nvidia-smi prints, and nothing else', () => {
  expect(installedCards(`${workstation}\nNVIDIA-SMI has failed\n2, Odd, [N/A], [N/A]`)).toEqual([
    { index: 0, name: 'NVIDIA RTX A5000', driver: '550.54.14', vram_mb: 24_564 },
    { index: 1, name: 'NVIDIA RTX A5000', driver: '550.54.14', vram_mb: 24_564 },
    { index: 2, name: 'Odd', driver: '[N/A]', vram_mb: 0 },
  ]);
});

const rows: [text: string, given: object, state: string, found: string][] = [
  [workstation, { seats: 40 }, 'ok', '0: NVIDIA RTX A5000, driver 550.54.14, 24564 MB; 1:'],
  [workstation, { cards: [{ index: 2, seats: 1 }] }, 'fail', 'there is no card 2'],
  [
    workstation,
    { cards: [{ index: 1, seats: 1, vram_mb: 30_000 }] },
    'warn',
    'gives apps 30000 MB of card 1',
  ],
  [consumer, { seats: 8 }, 'ok', 'GeForce'],
  [consumer, { seats: 9 }, 'warn', 'may want 9 encoder sessions, and this driver gives 8'],
  [consumer, { seats: 5, apps: [{ ...app, encoders: 2 }] }, 'warn', 'may want 10'],
  [consumer, { cards: [{ index: 0, seats: 20, encoders: 8 }] }, 'ok', 'GeForce'],
  [consumer.replace('560.35', '535.1'), { seats: 6 }, 'warn', 'this driver gives 5'],
  [consumer.replace('560.35', '470.1'), { seats: 4 }, 'warn', 'this driver gives 3'],
];
for (const [text, given, state, found] of rows) {
  test(`cardsLine() says ${state}: ${found}`, () => {
    const line = cardsLine(config(given), installedCards(text));
    expect([line.state, line.found]).toEqual([state, expect.stringContaining(found)]);
  });
}
