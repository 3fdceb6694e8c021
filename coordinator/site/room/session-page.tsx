import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { JoinForm } from '../kit/join-form.tsx';
import { localText, useLanguage, useTexts } from '../kit/language.ts';
import { forgetMembership, type Membership, recallMembership } from '../kit/membership.ts';
import { Notice } from '../kit/notice.tsx';
import { useApp, useSession } from './session-state.ts';
import { Stage } from './stage.tsx';

const NoMember = (): JSX.Element => {
  const texts = useTexts();
  return (
    <Notice title={texts.noTokenTitle} text={texts.noTokenText}>
      <JoinForm invited="" />
    </Notice>
  );
};

const Member = ({ id, membership }: { id: string; membership: Membership }): JSX.Element => {
  const { language, texts } = useLanguage();
  const { session, arrived, trouble, gone } = useSession(id, membership.participant_token);
  const app = useApp(session?.app ?? undefined);
  const title = app === undefined ? (session?.app ?? '') : localText(app.title, language, app.name);
  const over = gone !== undefined || session?.phase === 'ended';

  useEffect(() => {
    document.title = title === '' ? 'Vitrina' : `${title} · Vitrina`;
  }, [title]);
  useEffect(() => {
    if (over) forgetMembership(id);
  }, [over, id]);

  if (session?.phase === 'ended') {
    const { end, app: name } = session;
    const ending = end && texts.endings[end.reason];
    const own = membership.owner && end?.reason === 'owner_ended';
    const text = own ? texts.endedByYou : (ending?.text ?? '');
    return <Notice title={ending?.title ?? texts.goneTitle} text={text} app={name ?? undefined} />;
  }
  if (gone !== undefined) {
    if (gone.failed === 'unauthorized') return <NoMember />;
    // Who is in the lobby no more.
    if (gone.failed === 'forbidden') return <Notice title={texts.sentAwayTitle} text={texts.sentAwayText} />;
    return (
      <Notice title={texts.goneTitle} text={texts.failures[gone.failed]} app={session?.app ?? undefined} />
    );
  }
  return (
    <Stage
      id={id}
      membership={membership}
      session={session}
      arrived={arrived}
      silent={trouble !== undefined}
      title={title}
    />
  );
};

/** The second page: one session, from the first wait to its end. */
export const SessionPage = ({ id }: { id: string }): JSX.Element => {
  const membership = useMemo(() => recallMembership(id), [id]);
  return membership === undefined ? <NoMember /> : <Member id={id} membership={membership} />;
};
