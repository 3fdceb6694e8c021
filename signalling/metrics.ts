import { type Counter, createCounter, gaugeText, metricsPage, processText } from '../shared/metrics.ts';
import type { Registry } from './domain/registry.ts';

/** Counters of what happened, and a page that a Prometheus server reads. */
export interface Metrics {
  /** One more of `name`, told apart by one label. */
  count(name: CounterName, label: string): void;
  /** Shows how many peers are connected, asked each time the page is read. */
  watchPeers(connected: () => number): void;
  /** The page: text format 0.0.4. `now` in ms since the same start as `started`. */
  page(registry: Registry, uptime_ms: number): string;
}

const counters = {
  signalling_connections_total: { label: 'role', help: 'Connections opened.' },
  signalling_refused_total: { label: 'reason', help: 'Upgrade requests refused.' },
  signalling_messages_sent_total: { label: 'type', help: 'Messages sent, relayed ones included.' },
  signalling_bad_messages_total: {
    label: 'reason',
    help: 'Messages that were malformed or of unknown type.',
  },
  signalling_closes_total: { label: 'code', help: 'Connections closed, by WebSocket close code.' },
  signalling_peer_commands_total: {
    label: 'verb',
    help: 'Commands of peers that were carried out or refused.',
  },
  signalling_peer_bad_messages_total: {
    label: 'reason',
    help: 'Messages of peers that were malformed or no command.',
  },
} as const;
type CounterName = keyof typeof counters;

const counterNames = Object.keys(counters) as CounterName[];

export const createMetrics = (): Metrics => {
  const series = new Map<CounterName, Counter>(
    counterNames.map((name) => [name, createCounter(name, counters[name].help)]),
  );
  let peers = () => 0;
  return {
    watchPeers(connected) {
      peers = connected;
    },
    count(name, label) {
      series.get(name)?.count({ [counters[name].label]: label });
    },
    page(registry, uptime_ms) {
      const streamers = [...registry.streamers.values()];
      const players = [...registry.players.values()];
      return metricsPage([
        ...[...series.values()].map((counter) => counter.text()),
        gaugeText('signalling_streamers', 'Streamers and SFUs connected.', streamers.length),
        gaugeText(
          'signalling_streamers_streaming',
          'Those that are listed.',
          streamers.filter((s) => s.streaming).length,
        ),
        gaugeText('signalling_players', 'Players and SFUs connected.', players.length),
        gaugeText(
          'signalling_players_subscribed',
          'Those that watch.',
          players.filter((p) => p.subscribed).length,
        ),
        gaugeText('signalling_peers', 'Peers connected.', peers()),
        gaugeText('signalling_uptime_seconds', 'Since the start.', uptime_ms / 1_000),
        ...processText(),
      ]);
    },
  };
};
