import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { JoinForm } from './kit/join-form.tsx';
import { useTexts } from './kit/language.ts';
import { Notice } from './kit/notice.tsx';
import type { Route } from './kit/route.ts';

type Props = Pick<Route & { page: 'none' }, 'like'>;

/** An address that leads nowhere: what it was meant to be, and where to go instead. */
export const NoPage = ({ like }: Props): JSX.Element => {
  const texts = useTexts();
  useEffect(() => {
    document.title = `${texts.noPageTitle} · Vitrina`;
  }, [texts]);
  if (like === 'session') {
    return (
      <Notice title={texts.noPageTitle} text={texts.noSessionText}>
        <JoinForm invited="" />
      </Notice>
    );
  }
  return (
    <Notice title={texts.noPageTitle} text={like === 'invite' ? texts.noInviteText : texts.noPageText} />
  );
};
