import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { systemClock } from '../../../shared/clock.ts';
import { Icon } from '../kit/icons.tsx';
import { useTexts } from '../kit/language.ts';
import { invitePath } from '../kit/route.ts';

/** Browsers give no clipboard to pages without TLS; a selected field can still be copied there. */
const copyByField = (text: string): boolean => {
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'hidden';
  document.body.append(field);
  field.select();
  const copied = document.execCommand('copy');
  field.remove();
  return copied;
};

const copy = async (text: string): Promise<boolean> => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByField(text);
  }
};

const shown_ms = 2_500;

/** The code to give to others, big, and their invitation on the clipboard at a press. */
export const InviteButton = (props: { code: string; invite: string; title: string }): JSX.Element => {
  const { code, title } = props;
  const texts = useTexts();
  const [copied, setCopied] = useState<boolean>();
  useEffect(() => {
    if (copied === undefined) return undefined;
    return systemClock.after(shown_ms, () => setCopied(undefined));
  }, [copied]);
  const invite = async () => {
    const url = new URL(invitePath(props.invite), location.origin).href;
    setCopied(await copy(texts.inviteText(title, url)));
  };
  return (
    <div class="invite">
      <span class="invite-label">{texts.codeToGive}</span>
      <output class="invite-code" aria-label={texts.codeToGive}>
        {code}
      </output>
      <button
        type="button"
        class="tool"
        aria-label={texts.copyInvite}
        title={texts.copyInvite}
        onClick={invite}
      >
        <Icon name={copied ? 'check' : 'copy'} />
      </button>
      <span class="invite-said" role="status">
        {copied !== undefined && (copied ? texts.copied : texts.copyFailed)}
      </span>
    </div>
  );
};
