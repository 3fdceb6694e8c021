import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Icon } from '../kit/icons.tsx';
import { useTexts } from '../kit/language.ts';

/** Nothing where the browser cannot (iPhone): its only full screen is a player without our input. */
export const FullScreenButton = (): JSX.Element | null => {
  const texts = useTexts();
  const [full, setFull] = useState(document.fullscreenElement !== null);
  useEffect(() => {
    const follow = () => setFull(document.fullscreenElement !== null);
    document.addEventListener('fullscreenchange', follow);
    return () => document.removeEventListener('fullscreenchange', follow);
  }, []);
  if (!document.fullscreenEnabled) return null;
  const label = full ? texts.exitFullScreen : texts.fullScreen;
  const turn = () => {
    const turned = full ? document.exitFullscreen() : document.documentElement.requestFullscreen();
    // A refusal leaves everything as it is, and the button says so.
    turned.catch(() => setFull(document.fullscreenElement !== null));
  };
  return (
    <button type="button" class="tool" aria-label={label} title={label} onClick={turn}>
      <Icon name={full ? 'shrink' : 'expand'} />
    </button>
  );
};
