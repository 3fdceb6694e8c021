import { createCounter, createHistogram } from '../../shared/metrics.ts';

/** Upper ends of the buckets of a request's duration, in seconds. The longest are long polls. */
const duration_seconds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What is counted while the coordinator runs, for `/metrics`. */
export const createMeters = () => {
  const relay_frames = createCounter('coordinator_relay_frames_total', 'Signalling frames copied.');
  const relay_bytes = createCounter('coordinator_relay_bytes_total', 'Bytes of those frames.');
  const towards = (direction: 'to_host' | 'to_player') => ({
    frames: relay_frames.of({ direction }),
    bytes: relay_bytes.of({ direction }),
  });
  return {
    requests: createCounter('coordinator_requests_total', 'HTTP requests answered.'),
    request_seconds: createHistogram(
      'coordinator_request_duration_seconds',
      'From a request to its answer; waiting in a long poll included.',
      duration_seconds,
    ),
    refusals: createCounter('coordinator_refusals_total', 'Requests and verbs refused, by error code.'),
    wrong_codes: createCounter('coordinator_wrong_codes_total', 'Session codes that opened nothing.'),
    relay_frames,
    relay_bytes,
    relayed: { to_host: towards('to_host'), to_player: towards('to_player') },
    /** Sockets open now, by kind. */
    sockets: new Map([
      ['client', 0],
      ['agent', 0],
      ['player', 0],
    ]),
    /** The longest that the ticker came too late within the last minute, in ms. */
    lag_ms: 0,
  };
};
export type Meters = ReturnType<typeof createMeters>;

/** Ticks that are looked at for the lag. */
const ticks_remembered = 60;

/** To be called every `tick_ms`; notes in `meters` how late that was. `now` is monotonic, in ms. */
export const createLagMeter = (meters: Meters, tick_ms: number, start: number) => {
  const late: number[] = [];
  let last = start;
  return (now: number): void => {
    late.push(Math.max(0, now - last - tick_ms));
    if (late.length > ticks_remembered) late.shift();
    last = now;
    meters.lag_ms = Math.max(...late);
  };
};
