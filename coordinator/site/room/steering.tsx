import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { systemClock } from '../../../shared/clock.ts';
import { Icon } from '../kit/icons.tsx';
import { useTexts } from '../kit/language.ts';
import { Stick } from './stick.tsx';

/** A hint stays this long, unless the visitor shows before that it is not needed. */
const hint_ms = 12_000;

/** Whether the medium is so now: "(orientation: portrait)". */
const useMedia = (query: string): boolean => {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const follow = () => setMatches(list.matches);
    follow();
    list.addEventListener('change', follow);
    return () => list.removeEventListener('change', follow);
  }, [query]);
  return matches;
};

/** Whether the app has taken the pointer. */
const usePointerLock = (): boolean => {
  const [locked, setLocked] = useState(document.pointerLockElement !== null);
  useEffect(() => {
    const follow = () => setLocked(document.pointerLockElement !== null);
    document.addEventListener('pointerlockchange', follow);
    return () => document.removeEventListener('pointerlockchange', follow);
  }, []);
  return locked;
};

/** True for a while, from each time on that `since` becomes true; `early` ends it. */
const useAWhile = (since: boolean): [shown: boolean, early: () => void] => {
  const [shown, setShown] = useState(since);
  useEffect(() => {
    setShown(since);
    return since ? systemClock.after(hint_ms, () => setShown(false)) : undefined;
  }, [since]);
  return [shown, () => setShown(false)];
};

/** A phone that is held upright shows a wide picture small. */
const TurnHint = (): JSX.Element | null => {
  const texts = useTexts();
  const upright = useMedia('(orientation: portrait)');
  const [dismissed, setDismissed] = useState(false);
  if (!upright || dismissed) return null;
  return (
    <p class="hint" role="status">
      <Icon name="turn" />
      {texts.turnPhone}
      <button type="button" class="tool" onClick={() => setDismissed(true)}>
        {texts.understood}
      </button>
    </p>
  );
};

/** How one walks and looks, at the first picture, until somebody does it. */
const HowTo = ({ touch }: { touch: boolean }): JSX.Element | null => {
  const texts = useTexts();
  const [shown, done] = useAWhile(true);
  useEffect(() => {
    const event = touch ? 'pointerup' : 'keydown';
    document.addEventListener(event, done, { once: true });
    return () => document.removeEventListener(event, done);
  }, [touch]);
  if (!shown) return null;
  return (
    <p class="hint" role="status">
      {touch ? texts.steerByTouch : texts.steerByKeys}
    </p>
  );
};

/** Says how the app is steered, and how the pointer comes back when the app has taken it. For the place where things are said. */
export const SteeringHints = (): JSX.Element => {
  const texts = useTexts();
  const touch = useMedia('(pointer: coarse)');
  const [locked] = useAWhile(usePointerLock());
  return (
    <>
      {locked && (
        <p class="hint" role="status">
          {texts.pointerTaken}
        </p>
      )}
      {touch && <TurnHint />}
      <HowTo touch={touch} />
    </>
  );
};

/** What a hand without keyboard steers with. */
export const TouchSteering = (): JSX.Element | null => (useMedia('(pointer: coarse)') ? <Stick /> : null);
