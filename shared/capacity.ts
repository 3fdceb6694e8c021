import type { AppNeeds, HostCard } from './protocol/agent-link.ts';

/** What one running session takes, and of which card. */
export interface Load extends Pick<AppNeeds, 'vram_mb' | 'encoders'> {
  readonly card: number;
}

/** Whether one more session with these needs fits on the card beside the loads (those of other cards do not count). */
export const fitsOn = (
  card: HostCard,
  loads: readonly Load[],
  needs: Pick<AppNeeds, 'vram_mb' | 'encoders'>,
): boolean => {
  const here = loads.filter((load) => load.card === card.index);
  const sum = (what: 'vram_mb' | 'encoders') => here.reduce((total, load) => total + load[what], needs[what]);
  return (
    here.length < card.seats &&
    (card.vram_mb === null || sum('vram_mb') <= card.vram_mb) &&
    (card.encoders === null || sum('encoders') <= card.encoders)
  );
};
