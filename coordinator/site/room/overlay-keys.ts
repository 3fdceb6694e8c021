/** Where the keyboard's focus is while the controls lie over the video. */
export type Focus = 'field' | 'control';

/** What a focused button or dialog needs for itself. */
const ownKeys = new Set(['Enter', ' ', 'Tab', 'Escape']);

/**
 * Whether a key pressed inside the controls stops there. Everything else goes on to the app, so that walking continues
 * while a button happens to have the focus. A key that goes up is always reported, or the app would hold it down forever.
 */
export const staysInPage = (type: string, key: string, focus: Focus): boolean =>
  focus === 'field' || (type !== 'keyup' && ownKeys.has(key));
