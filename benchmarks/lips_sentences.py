"""What the lips are measured on: 216 English sentences as a character says them, our own, CC0.

Replies, questions, shouts, lists, numbers and long explanations; every sound of English, clusters of p b m beside each
other, words that run into each other, and pauses inside.
"""

SENTENCES: tuple[str, ...] = tuple(
    line
    for line in """
Please bring my blue umbrella, maybe the big pump is broken.
My mom bought a brown paper bag for Bob.
I know, you saw five boys boiling oil.
She sells sea shells by the stormy shore.
Peter Piper picked a peck of pickled peppers.
Robots remember many important problems from before.
The weather is beautiful today, and I feel wonderful about it.
What would you like to talk about? I have plenty of time.
Oh! That is a lovely idea. Let me think about it for a moment.
Hmm, who knew that the moon was blue?
Peter bought my new blue boat.
We choose to see the moon, you know.
Hey there, welcome back to the stream!
Oh, nice, I did not expect that at all.
Ha, fair enough, you got me there.
Okay, so here is the plan for tonight.
Wait, what happened to your microphone?
I baked a batch of pumpkin muffins this morning.
The rabbit jumped over the wooden bridge.
Maybe we should begin with something simple.
Bubbles rise slowly to the top of the pond.
Could you pass me the purple pepper mill?
Their new album comes out in December.
My favourite game has a frog in a tiny boat.
Thank you so much for the kind message.
Thirty three thieves thought about thunder.
The vase on the shelf belongs to my brother.
Five fluffy foxes followed the farmer home.
Very few of us have ever visited the valley.
I have no idea, but let us find out together.
Why would a whale wear a woollen sweater?
One wonderful winter we walked to the water.
You used to choose the juice with the blue label.
The goose flew over the roof and into the school.
Those old boats float slowly down the road to Rome.
Joy enjoys the noise of boiling oil.
How now, the brown cow is out of the house.
I might fly to Ireland on Friday night.
They may take the late train on the eighth of May.
Here is a clear view of the pier.
There are pears and chairs everywhere.
Bees need sweet green leaves to eat.
The sheep sleep deep beneath the cheap sheets.
His sister is ill, so he will sit still.
Ten men went into the red tent.
That fat cat sat back on the black mat.
Hot coffee stops my clock from ticking.
Father parked the large car in the yard.
All the small balls fall in the hall.
The cook took a good look at the book.
Some of us love the sun above the mud.
Girls heard the first bird early on Thursday.
About a dozen bananas are in the kitchen.
Such a large church stands by the bridge.
Just imagine a giant orange on a stage.
Check the watch before you catch the coach.
The measure of pleasure is usually a treasure.
Sharks wash their fish in the ocean.
Zebras at the zoo are always lazy.
Singing a long song makes the king hungry.
Little Lily likes yellow lemon lollies.
Red roses grow around the grey rock.
Running rivers rarely freeze in the spring.
Harry has half a hundred hats.
Young yaks yawn at the yellow yacht.
Quick questions require quiet answers.
Extra boxes of tax forms fix nothing.
Strong students stretch straight after school.
Twelve months make one long year.
The sixth sense sometimes makes sense.
Asked about it, he simply laughed.
Glimpsed through the lens, the moon seemed near.
Clasp the strap and lift the lamp.
Jump up, pump it up, and never stop.
Grab my pen, Ben, and bend the pipe.
Stop being mean to my puppy.
Tom parked by the bank and mailed a big envelope.
Help me push both boxes up the ramp, please.
A lamp post broke in the middle of the bypass.
Bob, Pam and Mabel bumped into a beam.
Umbrellas are impossible in a blizzard.
Simple samples are sometimes the best examples.
The number of members climbed from seven to eleven.
An amber lamp hung above the empty bed.
Let me put it plainly, I cannot whistle.
I promise, nobody pays more than ten pounds.
Hmm, maybe. Maybe not. It depends on the price.
Mmm, this mango ice cream is amazing!
Yes! Exactly what I was thinking.
No, no, no, that is not what I meant.
Well, that was unexpected.
Sorry, my thoughts wandered off for a moment.
Right, where were we?
Good evening, everybody, and good morning to Japan.
Did you sleep well? You look a little tired.
Who told you that? I want names.
When does the next train to Bristol leave?
Where have all the flowers gone?
Which one do you prefer, the red or the blue one?
Do you play an instrument, or do you just listen?
Is it really four in the morning already?
How many people does it take to change a bulb?
Can we please pause for a minute?
Would you mind saying that once more?
Are you sure about the colour of the carpet?
Shall we play another round before midnight?
I was born in nineteen ninety seven.
It costs forty five dollars and sixty cents.
The temperature dropped to minus twelve degrees.
Call me at five, five, five, zero, one, two, three.
Two plus two is four, and four plus four is eight.
About eighty percent of the voters stayed home.
First, boil the water. Second, add the rice. Third, wait.
Apples, pears, plums, peaches and a bunch of bananas.
Guitars, drums, basses, flutes and one tiny trumpet.
London, Paris, Rome, Berlin, Madrid and Vienna.
On Monday it rained, on Tuesday it poured, and on Wednesday it stopped.
The quick brown fox jumps over the lazy dog.
Pack my box with five dozen liquor jugs.
Bright vixens jump while dozy fowl quack.
How vexingly quick daft zebras jump.
The five boxing wizards jump quickly.
Science is mostly patience with better instruments.
When the power failed, the whole city suddenly saw the stars.
If you mix blue and yellow paint, you get green.
Because the bridge was closed, we took the ferry instead.
Although he practised every day, the trumpet still sounded awful.
Before you leave, could you feed the fish and water the plants?
The reason is simple, light travels faster than sound.
A black hole bends space so much that light cannot escape.
Computers count with zeros and ones, and very quickly.
My grandmother keeps a drawer full of buttons and thread.
The baker opens his shop long before the sun comes up.
Every evening the harbour fills with small fishing boats.
We built a fort of pillows and watched films until dawn.
The museum has a painting of a man with a blue hat.
Nobody knows what happened to the captain and his crew.
She whispered something and smiled.
He shrugged, picked up his bag and left.
They laughed until their bellies hurt.
It is not a bug, it is a feature.
My computer just made a noise like a dying goat.
Honestly, I would rather wrestle a bear.
That boss fight took me four hours and most of my patience.
Level ten has a hidden door behind the waterfall.
Jump, dodge, roll, and hit him when he drops his shield.
Watch out, there is a trap by the door!
Give me a second, I need to find the map.
The save file is gone, and so is my will to live.
Chat, please behave, we have guests.
Shout out to everyone who joined just now.
Leave a comment if you have ever eaten a raw onion.
My neighbour plays the bagpipes, and not very well.
The new update broke the mouth of my avatar.
Turn the volume down a bit, would you?
I hear an echo, do you hear it too?
Let me read the next question.
Somebody asks whether penguins have knees. They do!
Octopuses have three hearts and blue blood.
Honey never spoils, which is rather impressive.
A group of owls is called a parliament.
Bamboo can grow almost a metre in one day.
The moon moves away from us by a few centimetres a year.
Mount Everest is still growing, very slowly.
Vikings used sunstones to find their way in fog.
The shortest war in history lasted about forty minutes.
Coffee was once forbidden, can you believe it?
I dreamed of a library without any books.
Memory is a funny thing, it keeps the smells.
Music feels different when the room is dark.
Rain on a tin roof is my favourite sound.
Nothing beats warm bread with butter.
Put some pepper and a pinch of salt on top.
Chop the onions, melt the butter, and stir.
The soup needs more lime, more basil, and more time.
Bring an umbrella, the forecast is grim.
Autumn leaves turned the pavement gold.
Snow fell softly on the sleeping village.
The storm blew the roof off the old barn.
A warm breeze moved the curtains.
Waves broke over the bow of the boat.
The lighthouse blinks once every seven seconds.
Follow the path to the river, then turn left.
Mind the gap between the train and the platform.
Keep calm and breathe in through your nose.
You should have seen the look on his face.
We were too late, the shop had already closed.
They said it would never work, and yet here we are.
Everything will be fine, I promise.
To be perfectly honest, I have no plan.
On the other hand, it might be worth a try.
By the way, happy birthday to your mother!
Speaking of which, did you water my cactus?
As far as I remember, it was a Thursday.
Between you and me, the cake was terrible.
Long story short, I missed the bus.
In my humble opinion, cats are better than dogs.
Believe it or not, I can juggle.
Guess who forgot his password again.
Same time tomorrow? I would love that.
Sleep tight, and do not let the bedbugs bite.
Until next time, be kind to each other.
Goodbye, goodbye, and thank you for watching!
Um, I think so, but I am not entirely sure.
Ooh, shiny! May I keep it?
Wow, you really thought of everything.
Oops, I pressed the wrong button.
Phew, that was close.
Bravo! Bravissimo! Encore!
Meow, says the cat, and jumps on the keyboard.
Absolutely impossible, improbable and implausible.
Fifty fifth floor, far from the front of the building.
The chef's special is a spicy sausage with chips.
Each of these teachers speaks Spanish and French.
Two tall towers stood at the edge of the town.
Now put your hands up and slowly step away from the pudding.
""".strip().splitlines()
    if line
)
