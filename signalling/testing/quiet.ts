import { systemClock } from '../../shared/clock.ts';
import { connect } from './live.ts';
import type { Running } from './program.ts';

const pace_ms = 40;

/** A streamer and its player that mind their own business. */
export interface Quiet {
  /** Stops, waits for what is on its way, and says how many each side sent and the numbers that each side got. */
  finish(): Promise<{ sent: number; streamer: number[]; player: number[] }>;
}

const candidate = (sequence: number, playerId?: string): string =>
  JSON.stringify({
    type: 'iceCandidate',
    candidate: { candidate: String(sequence), sdpMid: '0', sdpMLineIndex: 0 },
    ...(playerId === undefined ? {} : { playerId }),
  });

/** Both send numbered candidates to each other, twenty-five a second. */
export const quietPair = async ({ url }: Pick<Running, 'url'>): Promise<Quiet> => {
  const streamer = await connect(url('streamer'));
  streamer.send({ type: 'endpointId', id: 'Quiet', protocolVersion: '1.3.0' });
  await streamer.until('endpointIdConfirm');
  const player = await connect(url('player'));
  player.send({ type: 'subscribe', streamerId: 'Quiet' });
  const { playerId } = await streamer.until('playerConnected');
  await player.until('config');
  let sent = 0;
  const stop = systemClock.every(pace_ms, () => {
    sent += 1;
    player.send(candidate(sent));
    streamer.send(candidate(sent, String(playerId)));
  });
  /** The numbers of all candidates up to the wanted one. */
  const received = async (client: typeof player, wanted: number): Promise<number[]> => {
    const numbers: number[] = [];
    while (numbers.at(-1) !== wanted) {
      const { candidate } = await client.until('iceCandidate');
      numbers.push(Number((candidate as { candidate: string }).candidate));
    }
    return numbers;
  };
  return {
    async finish() {
      stop();
      const result = {
        sent,
        streamer: await received(streamer, sent),
        player: await received(player, sent),
      };
      player.close();
      streamer.close();
      return result;
    },
  };
};
