/** What a topic's name looks like. */
export const topicShape = /^[\w-]+(\.[\w-]+)*$/

/** What a pattern looks like; a topic's name is one. */
export const patternShape = /^(?:(?:[\w-]+|\*)\.)*(?:[\w-]+|\*|>)$/

/** Whether a text can only be meant as a pattern: no name has these characters. */
export const isWild = (text: string): boolean => /[*>]/.test(text)
