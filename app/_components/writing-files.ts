/** The files that writing is read from, for the browser's own file dialog; what they are is seen from what is in them. An adapter's file is sent on to where it belongs. */
export const WRITING_FILES = ".txt,.text,.md,.markdown,.html,.htm,.docx,.odt,.rtf,.pdf,.epub,.eml,.mbox,.csv,.json,.jsonl,.zip,.safetensors,text/*";
