import { expect, test } from 'bun:test';
import { pinning } from './pinning.ts';

test('pinning() names the card by the number that nvidia-smi shows, where cards are listed', () => {
  expect(pinning({ cards: [{ index: 0 }, { index: 3 }] }, 3)).toEqual({
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    CUDA_VISIBLE_DEVICES: '3',
    NVIDIA_VISIBLE_DEVICES: '3',
  });
  expect(pinning({ cards: [] }, 0)).toEqual({});
});
