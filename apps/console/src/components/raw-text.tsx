import { CopyButton } from './copy-button.tsx'

/** Text as it was sent, to the last blank. What the eye cannot see, or what turns the line around, is spelled out. */
export function RawText({ text, of }: { text: string; of: string }) {
  return (
    <div class="raw-text">
      <CopyButton text={text} of={of} />
      <pre class="raw">
        <bdi>{text.replace(hidden, spelled)}</bdi>
      </pre>
    </div>
  )
}

// Controls other than line breaks and tabs; marks of direction; what has no width.
const hidden = /[^\P{Cc}\n\t]|\p{Cf}|\u2028|\u2029/gu

const spelled = (char: string): string => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`
