import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { endSession, type Failure, isFailure } from '../kit/api.ts';
import { FailureNote } from '../kit/failure-note.tsx';
import { useTexts } from '../kit/language.ts';

interface Props {
  id: string;
  token: string;
  /** Nobody else is in the session. */
  alone: boolean;
  onStay: () => void;
  onLeave: () => void;
}

/** The owner's choice: go, end it for everyone, or stay. */
export const LeaveDialog = ({ id, token, alone, onStay, onLeave }: Props): JSX.Element => {
  const texts = useTexts();
  const dialog = useRef<HTMLDialogElement>(null);
  const [ending, setEnding] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  useEffect(() => dialog.current?.showModal(), []);

  const end = async () => {
    if (ending) return;
    setEnding(true);
    const answer = await endSession(id, token);
    // The end itself is shown when the session says so.
    if (!isFailure(answer)) return onStay();
    setEnding(false);
    setFailure(answer);
  };

  return (
    <dialog ref={dialog} class="leave-dialog" aria-labelledby="leave-title" onClose={onStay}>
      <h2 id="leave-title">{texts.leaveTitle}</h2>
      <p>{alone ? texts.leaveAloneText : texts.leaveText}</p>
      <FailureNote failure={failure} />
      <div class="dialog-actions">
        {alone ? (
          <button type="button" class="button primary" onClick={onLeave}>
            {texts.leave}
          </button>
        ) : (
          <>
            <button type="button" class="button primary" onClick={onLeave}>
              {texts.leaveOnly}
            </button>
            <button type="button" class="button danger" aria-busy={ending} onClick={end}>
              {texts.endForAll}
            </button>
          </>
        )}
        <button type="button" class="button" onClick={onStay}>
          {texts.stay}
        </button>
      </div>
    </dialog>
  );
};
