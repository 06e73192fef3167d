import { Banner } from '../../components/basics.tsx'
import { CopyButton } from '../../components/copy-button.tsx'
import { Name } from '../../components/name.tsx'
import { linkTo } from '../../routing/url.ts'
import type { MadeKey } from './key.ts'

/** The text of a key, which the gateway does not have any more. The page forgets it when it is left. */
export function ShownOnce({ made: { id, name, key } }: { made: MadeKey }) {
  return (
    <div class="stack">
      <Banner tone="warning" title="Copy it now: it is shown once" alert>
        <p>
          Nobody can show the key of <Name of={name} /> again, since only its hash is kept.
        </p>
        <p class="command">
          <code class="key-text">{key}</code>
          <CopyButton text={key} of="the key" />
        </p>
        <p>
          Programs send it as <code>Authorization: Bearer sekali_…</code>
        </p>
      </Banner>
      <p>
        <a class="button" href={linkTo(['keys', id])}>
          I have it
        </a>
      </p>
    </div>
  )
}
