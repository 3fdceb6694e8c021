import type { Cancel, Clock } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import type { Flags } from './flags.ts';
import type { Wrtc } from './peer.ts';
import { createStudio, type Studio } from './picture/studio.ts';
import { pumpSound } from './sound.ts';
import { viewOf } from './walker.ts';
import type { World } from './world.ts';

export const FPS = 30;
const frame_ms = 1000 / FPS;
/** A step of the preparation goes on for about this long, and then as long a pause lets everything else run. */
const step_ms = 5;
/** The preparation waits until the first player has its picture: a connection that is being made needs the processor more. */
const prepare_after_ms = 2_000;

/** The app's one picture and one sound, which all players share: each peer connection encodes them for itself. */
export interface Stage {
  readonly tracks: readonly MediaStreamTrack[];
  /** Plays while there is a player; costs nothing otherwise. */
  play(on: boolean): void;
  resize(size: { width: number; height: number }): void;
  /** Idempotent. */
  stop(): void;
}

export interface StageOptions {
  flags: Pick<Flags, 'name' | 'style' | 'width' | 'height' | 'counters'>;
  wrtc: Wrtc;
  clock: Clock;
  log: Log;
  /** Lets time pass in the world and returns it. */
  step(seconds: number, obstacles: Studio['scene']['obstacles']): World;
}

/** Frames drawn in the last second and how long each took. */
const createMeter = (clock: Clock) => {
  const ends: number[] = [];
  let spent = 0;
  return {
    frame(start: number) {
      const now = clock.monotonic();
      spent += (now - start - spent) * 0.1;
      ends.push(now);
      while ((ends[0] ?? now) < now - 1000) ends.shift();
    },
    text: () => `${ends.length} FPS  ${spent.toFixed(1)} MS`,
  };
};

/** Does the studio's slow work bit by bit. Returns what ends it early. */
const prepare = (studio: Studio, clock: Clock, log: Log): Cancel => {
  const steps = studio.prepare();
  const begun = clock.monotonic();
  let cancel: Cancel = () => {};
  const work = () => {
    const start = clock.monotonic();
    while (clock.monotonic() - start < step_ms) {
      if (steps.next().done) return log.info({ ms: Math.round(clock.monotonic() - begun) }, 'scene lit');
    }
    cancel = clock.after(clock.monotonic() - start, work);
  };
  cancel = clock.after(0, work);
  return () => cancel();
};

export const createStage = ({ flags, wrtc, clock, log, step }: StageOptions): Stage => {
  const studio = createStudio(flags.style, flags.width, flags.height);
  const video = new wrtc.nonstandard.RTCVideoSource();
  const audio = new wrtc.nonstandard.RTCAudioSource();
  const tracks = [video.createTrack(), audio.createTrack()];
  const meter = createMeter(clock);
  let stopPreparing: Cancel | undefined;
  let frames = 0;
  let last = 0;
  let due = 0;
  let toneOn = false;
  let stopVideo: Cancel | undefined;
  let stopSound: Cancel | undefined;

  const draw = () => {
    const start = clock.monotonic();
    const world = step((start - last) / 1000, studio.scene.obstacles);
    last = start;
    toneOn = world.toneOn;
    const { width, height, data } = studio.draw(viewOf(world.walker), world.lamp, {
      name: flags.name,
      counters: flags.counters ? { time: clock.now(), frame: frames++, inputs: world.inputs } : undefined,
      fps: world.showFps ? meter.text() : undefined,
    });
    video.onFrame({ width, height, data });
    meter.frame(start);
    // A frame that took too long is not made up for, and leaves time for everything else.
    const end = clock.monotonic();
    due = Math.max(due + frame_ms, end + (end - start) / 4);
    stopVideo = clock.after(due - end, draw);
  };
  const pause = () => {
    stopVideo?.();
    stopSound?.();
    stopVideo = undefined;
    stopSound = undefined;
  };

  return {
    tracks,
    play(on) {
      if (!on) return pause();
      if (stopVideo !== undefined) return;
      stopPreparing ??= clock.after(prepare_after_ms, () => {
        stopPreparing = prepare(studio, clock, log);
      });
      last = clock.monotonic();
      due = last;
      stopSound = pumpSound(
        clock,
        () => toneOn,
        (frame) => audio.onData(frame),
      );
      draw();
    },
    resize: ({ width, height }) => studio.resize(width, height),
    stop() {
      stopPreparing?.();
      pause();
      for (const track of tracks) track.stop();
    },
  };
};
