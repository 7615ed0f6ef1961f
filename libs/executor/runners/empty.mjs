// What a runner of JavaScript loads while it waits for its task.
export default () => undefined;
