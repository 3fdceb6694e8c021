import { expect, test } from 'bun:test';
import { fakeClock } from '../../shared/testing/clock.ts';
import { type AudioFrame, createTone, pumpSound } from './sound.ts';

const loudest = (frame: AudioFrame): number =>
  frame.samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);

test('createTone() is silent until it is switched on, and fades without a click', () => {
  const tone = createTone();
  expect(loudest(tone(false))).toBe(0);
  const steps = [tone(true), tone(true)].flatMap(({ samples }) => [...samples]);
  const jumps = steps.map((sample, i) => Math.abs(sample - (steps[i - 1] ?? 0)));
  expect(Math.max(...jumps)).toBeLessThan(800);
  expect(loudest(tone(true))).toBeGreaterThan(3000);
  for (let i = 0; i < 50; i++) tone(false);
  expect(loudest(tone(false))).toBeLessThan(2);
});

test('pumpSound() hands over 10 ms of 48 kHz sound every 10 ms, and no flood after a pause', () => {
  const clock = fakeClock();
  const frames: AudioFrame[] = [];
  const cancel = pumpSound(
    clock,
    () => false,
    (frame) => frames.push(frame),
  );
  clock.advance(1000);
  expect(frames.length).toBeWithin(100, 102);
  expect(frames[0]).toMatchObject({ sampleRate: 48_000, channelCount: 1, numberOfFrames: 480 });
  cancel();
  clock.advance(1000);
  expect(frames.length).toBeWithin(100, 102);
  expect(clock.pending()).toBe(0);
});
