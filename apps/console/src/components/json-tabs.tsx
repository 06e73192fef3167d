import { JsonTree } from './json-tree.tsx'
import { RawText } from './raw-text.tsx'
import { Tabs } from './tabs.tsx'

/** JSON as a tree, or as the text that it is. `of` is what it is, for who copies it. */
export function JsonTabs({ text, label, of }: { text: string; label: string; of: string }) {
  return (
    <Tabs
      label={label}
      tabs={[
        { words: 'Tree', content: () => <JsonTree text={text} label={label} /> },
        { words: 'Text', content: () => <RawText text={text} of={of} /> },
      ]}
    />
  )
}
