import { visible } from '../text/visible.ts'
import { CopyButton } from './copy-button.tsx'

/** Text as it was sent, to the last blank; `of` is what it is. Copied are the characters themselves. */
export function RawText({ text, of }: { text: string; of: string }) {
  return (
    <div class="raw-text">
      <CopyButton text={text} of={of} />
      <pre class="raw">{visible(text)}</pre>
    </div>
  )
}
