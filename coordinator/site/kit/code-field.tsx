import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { boxesOf, codeFrom, nextBox } from './code.ts';
import { useTexts } from './language.ts';

interface Props {
  id: string;
  code: string;
  describedBy: string;
  invalid: boolean;
  onCode: (code: string) => void;
}

/**
 * One real field that looks like a box a digit: typing moves on, pasting an invitation works, and screen readers and
 * phone keyboards meet an ordinary text field.
 */
export const CodeField = ({ id, code, describedBy, invalid, onCode }: Props): JSX.Element => {
  const texts = useTexts();
  const [focused, setFocused] = useState(false);
  const caret = focused ? nextBox(code) : -1;
  return (
    <div class={invalid ? 'code-field invalid' : 'code-field'}>
      <input
        id={id}
        value={code}
        aria-label={texts.codeLabel}
        aria-describedby={describedBy}
        aria-invalid={invalid}
        inputMode="numeric"
        autoComplete="one-time-code"
        spellcheck={false}
        onFocus={() => setFocused(true)}
        onBlur={() => setFocused(false)}
        onInput={({ currentTarget }) => {
          const digits = codeFrom(currentTarget.value);
          // Preact does not write an unchanged value back; a letter typed would stay visible to screen readers.
          currentTarget.value = digits;
          onCode(digits);
        }}
      />
      <div class="code-boxes" aria-hidden="true">
        {boxesOf(code).map((digit, index) => (
          <span key={index} class={index === caret ? 'caret' : ''}>
            {digit}
          </span>
        ))}
      </div>
    </div>
  );
};
