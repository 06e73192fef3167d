/** What a topic's name looks like. */
export const topicShape = /^[\w-]+(\.[\w-]+)*$/
