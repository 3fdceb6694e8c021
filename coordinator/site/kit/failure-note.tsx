import type { JSX } from 'preact';
import type { Failure } from './api.ts';
import { useTexts } from './language.ts';

/** A refusal in the visitor's words, announced when it appears. */
export const FailureNote = ({ failure, id }: { failure: Failure | undefined; id?: string }): JSX.Element => {
  const texts = useTexts();
  return (
    <p class="failure" role="alert" {...(id === undefined ? {} : { id })}>
      {failure !== undefined && texts.failures[failure.failed]}
      {failure?.retry_after !== undefined && ` ${texts.retryAfter(failure.retry_after)}`}
      {failure?.incident !== undefined && <small> {texts.incident(failure.incident)}</small>}
    </p>
  );
};
