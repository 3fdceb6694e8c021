import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useTexts } from '../kit/language.ts';
import { keysHeld, type WalkKey, walkKeys } from './stick-keys.ts';

/** The app's listener is the document's, and cannot tell these keys from typed ones. */
const press = (type: 'keydown' | 'keyup', key: WalkKey): void =>
  void document.dispatchEvent(new KeyboardEvent(type, { ...walkKeys[key], bubbles: true }));

/** Walks with a thumb where there is no keyboard: holds the keys that walk. */
export const Stick = (): JSX.Element => {
  const held = useRef<readonly WalkKey[]>([]);
  const [thumb, setThumb] = useState({ x: 0, y: 0 });
  const hold = (keys: readonly WalkKey[]) => {
    for (const key of held.current) if (!keys.includes(key)) press('keyup', key);
    for (const key of keys) if (!held.current.includes(key)) press('keydown', key);
    held.current = keys;
  };
  useEffect(() => () => hold([]), []);
  const move = (event: PointerEvent & { readonly currentTarget: Element }) => {
    const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
    const x = (event.clientX - left) / (width / 2) - 1;
    const y = (event.clientY - top) / (height / 2) - 1;
    const far = Math.max(1, Math.hypot(x, y));
    setThumb({ x: x / far, y: y / far });
    hold(keysHeld(x, y));
  };
  const drop = () => {
    setThumb({ x: 0, y: 0 });
    hold([]);
  };
  return (
    <div
      class="stick"
      role="img"
      aria-label={useTexts().walk}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        move(event);
      }}
      onPointerMove={(event) => event.currentTarget.hasPointerCapture(event.pointerId) && move(event)}
      onPointerUp={drop}
      onPointerCancel={drop}
    >
      <svg viewBox="-64 -64 128 128" aria-hidden="true">
        <path d="M-6 -48l6 -6 6 6M-6 48l6 6 6 -6M-48 -6l-6 6 6 6M48 -6l6 6 -6 6" />
        <circle cx={thumb.x * 34} cy={thumb.y * 34} r="26" />
      </svg>
    </div>
  );
};
