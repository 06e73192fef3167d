import type { Scope } from '@sekali/core/access'
import type { ComponentType } from 'preact'

export interface ViewProps {
  /** Of the path: `topics/:topic` has `topic`. Decoded; any text. */
  readonly params: Readonly<Record<string, string>>
}

/** A page of the console, in a file or a folder of its subject; registry.ts lists them. */
export interface View {
  /** Behind `#/`; a segment that begins with `:` is a parameter. The overview has none. */
  readonly path: string
  /** What parameters must match: with another one it is a URL that no view has. */
  readonly shapes?: Readonly<Record<string, RegExp>>
  /** Of the browser's tab. */
  readonly title: (params: Readonly<Record<string, string>>) => string
  readonly component: ComponentType<ViewProps>
  /** What a key must be allowed to do, so that the view shows anything. */
  readonly scope?: Scope
  /** Whether it shows nothing to a key of some topics, and so is not offered to it. */
  readonly isForAllTopics?: boolean
  /** In the navigation, if it is there. */
  readonly entry?: {
    readonly words: string
    readonly group: 'Log' | 'Mend' | 'System'
    /** The path of an icon, drawn as a line in 16 × 16. */
    readonly icon: string
  }
}
