import type { AppNeeds, HostCard } from '../shared/protocol/agent-link.ts';
import type { AgentConfig } from './config.ts';

/** The cards of config.json; a machine that lists none counts as one card with all seats and no other bound. */
export const cardsOf = ({ cards, seats }: Pick<AgentConfig, 'cards' | 'seats'>): HostCard[] =>
  cards.length === 0
    ? [{ index: 0, seats, vram_mb: null, encoders: null }]
    : cards.map(({ index, seats, vram_mb = null, encoders = null }) => ({ index, seats, vram_mb, encoders }));

/** What one session of each app takes of its card. */
export const needsOf = ({ apps }: Pick<AgentConfig, 'apps'>): AppNeeds[] =>
  apps.map(({ rc_name, vram_mb, encoders }) => ({ rc_name, vram_mb, encoders }));
