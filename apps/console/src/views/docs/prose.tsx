/** The little markup that descriptions have: `code`, **bold**, and lines that begin with a dash. */
import type { ComponentChildren } from 'preact'

/** A sentence or more. */
export function Words({ text }: { text: string }) {
  return (
    <>
      {text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part, at) => {
        const key = `${at}`
        if (part.startsWith('`')) return <code key={key}>{part.slice(1, -1)}</code>
        if (part.startsWith('**')) return <strong key={key}>{part.slice(2, -2)}</strong>
        return part
      })}
    </>
  )
}

/** Paragraphs and lists. */
export function Prose({ text }: { text: string }) {
  return (
    <div class="prose">
      {text.split(/\n\n+/).map((block): ComponentChildren => {
        const lines = block.split('\n')
        if (!lines.every((line) => line.startsWith('- '))) {
          return (
            <p key={block}>
              <Words text={block} />
            </p>
          )
        }
        return (
          <ul key={block}>
            {lines.map((line) => (
              <li key={line}>
                <Words text={line.slice(2)} />
              </li>
            ))}
          </ul>
        )
      })}
    </div>
  )
}
