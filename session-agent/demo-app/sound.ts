import type { Cancel, Clock } from '../../shared/clock.ts';

const sample_rate = 48_000;
const frame_ms = 10;
const frame_samples = (sample_rate * frame_ms) / 1000;
/** More frames than this are not made up for after a pause. */
const CATCH_UP_FRAMES = 10;

const NOTE_HZ = 440;
const LOUDNESS = 0.2 * 32767;
/** Share of the way to the wished loudness per sample: no clicks. */
const SOFTNESS = 0.002;

export interface AudioFrame {
  samples: Int16Array;
  sampleRate: number;
  bitsPerSample: number;
  channelCount: number;
  numberOfFrames: number;
}

/** A generator of 10 ms frames: an A with its octave while on, silence while off. */
export const createTone = (): ((on: boolean) => AudioFrame) => {
  let time = 0;
  let loudness = 0;
  return (on) => {
    const samples = new Int16Array(frame_samples);
    for (let i = 0; i < frame_samples; i++, time++) {
      loudness += ((on ? LOUDNESS : 0) - loudness) * SOFTNESS;
      const angle = (2 * Math.PI * NOTE_HZ * time) / sample_rate;
      samples[i] = Math.round(loudness * (0.8 * Math.sin(angle) + 0.2 * Math.sin(2 * angle)));
    }
    return {
      samples,
      sampleRate: sample_rate,
      bitsPerSample: 16,
      channelCount: 1,
      numberOfFrames: frame_samples,
    };
  };
};

/** Hands a frame over every 10 ms of real time until cancelled. */
export const pumpSound = (clock: Clock, isOn: () => boolean, emit: (frame: AudioFrame) => void): Cancel => {
  const tone = createTone();
  let due = clock.monotonic();
  return clock.every(frame_ms, () => {
    const now = clock.monotonic();
    due = Math.max(due, now - CATCH_UP_FRAMES * frame_ms);
    for (; due <= now; due += frame_ms) emit(tone(isOn()));
  });
};
